@0xd4c1a3f0b57e9c26;

struct Profile { id @0 :Int64; name @1 :Text; email @2 :Text; }
struct Item { id @0 :Int64; name @1 :Text; email @2 :Text; tags @3 :List(Text); score @4 :Float64; }

interface Account { getProfile @0 (id :Int64) -> (profile :Profile); }
interface Capability { ping @0 () -> (value :Int64); }

interface Api {
  add @0 (a :Int64, b :Int64) -> (value :Int64);
  authenticate @1 (token :Text) -> (account :Account);
  echo @2 (items :List(Item)) -> (items :List(Item));
  make @3 () -> (capability :Capability);
  sink @4 (data :Data) -> (count :Int64);
}
