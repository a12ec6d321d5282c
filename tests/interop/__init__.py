"""The npm package at the other end of a socket, both ways round."""
