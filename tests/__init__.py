"""runtime/ and gen/ mirror the packages, interop/ talks to the npm package, project/ looks at the repository itself."""
