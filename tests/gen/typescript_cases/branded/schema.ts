type UserId = string & { readonly __brand: "UserId" };
type Email = string;

export interface Accounts {
  user(id: UserId): Promise<Email>;
}
