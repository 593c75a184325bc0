// Bundles the pages after relay-compiler: Relay's plugin of Babel puts its files in for the `graphql` texts.
import { transformFileAsync } from "@babel/core";
import { build } from "esbuild";

const relay = {
  name: "relay",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.jsx$/ }, async ({ path }) => {
      const { code } = await transformFileAsync(path, { plugins: ["relay"], parserOpts: { plugins: ["jsx"] } });
      return { contents: code, loader: "jsx" };
    }),
};

await build({
  entryPoints: ["relay/Visit.jsx"],
  outfile: "relay/visit.mjs",
  bundle: true,
  platform: "node",
  format: "esm",
  jsx: "automatic",
  external: ["jsdom"],
  plugins: [relay],
});
