import type { CodegenConfig } from "@graphql-codegen/cli";

// How the scalars travel in JSON. JavaScript rounds a BigInt above 2^53 - 1, so that a larger input is a string of digits.
const scalars = { BigInt: { input: "number | string", output: "number" }, Date: "string", DateTime: "string", UUID: "string" };

const config: CodegenConfig = {
  schema: "../../schema.graphql",
  documents: "typed/*.ts",
  generates: { "typed/graphql/": { preset: "client", config: { scalars, strictScalars: true, documentMode: "string" } } },
};

export default config;
