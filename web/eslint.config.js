import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import globals from "globals";
import tseslint from "typescript-eslint";

// Reading direction: everything is laid out by start and end, so that right-to-left languages need no second style.
const physical = String.raw`/(^|\s|:)-?(ml|mr|pl|pr|left|right|border-l|border-r|rounded-l|rounded-r|rounded-tl|rounded-tr|rounded-bl|rounded-br|text-left|text-right|float-left|float-right|scroll-ml|scroll-mr)(-|\s|$)/`;
// Colours exist once, in shared/tokens.css, with a meaning.
const hex = String.raw`/^#([0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})$/`;
const classNames = `JSXAttribute[name.name=/^class(Name)?$/]`;

export default tseslint.config(
  { ignores: ["**/dist/**", "**/node_modules/**", "**/generated/**", "**/playwright-report/**", "**/shots/**"] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser, ...globals.es2023 } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "no-console": "error",
      eqeqeq: ["error", "always", { null: "ignore" }],
      "prefer-const": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrors: "none" }],
      "no-restricted-syntax": [
        "error",
        { selector: `${classNames} Literal[value=${physical}]`, message: "Use start/end utilities (ms-, me-, ps-, pe-, start-, end-, text-start), never left/right." },
        { selector: `${classNames} TemplateElement[value.raw=${physical}]`, message: "Use start/end utilities, never left/right." },
        { selector: `${classNames} Literal[value=/\\[#/]`, message: "Use a colour token of shared/tokens.css." },
        { selector: `JSXAttribute Literal[value=${hex}]`, message: "Use a colour token of shared/tokens.css." },
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "Only html_safe of the server may be shown as markup, and only inside its own component; disable this line there with the reason." },
        { selector: "AssignmentExpression > MemberExpression.left[property.name=/^(innerHTML|outerHTML)$/]", message: "Never build markup from text." },
      ],
    },
  },
  { files: ["workspace/**/*.{ts,tsx}"], plugins: { "react-hooks": hooks }, rules: { "react-hooks/rules-of-hooks": "error", "react-hooks/exhaustive-deps": "error" } },
  { files: ["**/*.{mjs,cjs}", "**/*.config.{js,ts}", "**/scripts/**", "**/dev/**", "e2e/**", "**/*.test.{ts,tsx}"], languageOptions: { globals: globals.node }, rules: { "no-console": "off" } },
  { files: ["**/*.test.{ts,tsx}", "e2e/**"], rules: { "@typescript-eslint/no-non-null-assertion": "off" } },
);
