// The defaults of ESLint and of typescript-eslint, and nothing else.
import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(js.configs.recommended, tseslint.configs.recommended);
