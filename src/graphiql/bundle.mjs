// Bundles GraphiQL's page: `node bundle.mjs FOLDER`, started where npm has installed the packages of package.json.
//
// The names of the files contain a hash of their content, so that browsers may keep them for ever.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const esbuild = createRequire(path.resolve("package.json"))("esbuild");
const folder = process.argv[2];
const sources = path.dirname(fileURLToPath(import.meta.url));

// GraphiQL's fonts come without their licences. Without them, the bundle is a third smaller.
const withoutFonts = {
  name: "without-fonts",
  setup(build) {
    build.onLoad({ filter: /graphiql[\\/]dist[\\/]style\.css$/ }, async ({ path: file }) => ({
      contents: (await readFile(file, "utf8")).replace(/@font-face\s*{[^}]*}/g, ""),
      loader: "css",
    }));
  },
};

const { metafile } = await esbuild.build({
  absWorkingDir: sources,
  nodePaths: [path.resolve("node_modules")],
  entryPoints: ["page.jsx"],
  outdir: folder,
  entryNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  loader: { ".graphql": "text" },
  define: { "process.env.NODE_ENV": '"production"' },
  legalComments: "none",
  metafile: true,
  logLevel: "error",
  plugins: [withoutFonts],
});

const packages = new Set();
for (const input of Object.keys(metafile.inputs)) {
  const inPackage = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input);
  if (inPackage) packages.add(path.join(sources, inPackage[0]));
}
await writeFile(path.join(folder, "licenses.txt"), await licenses([...packages].sort()));

/** Returns the name, the version and the licence of each package, with the licence's text where the package has it. */
async function licenses(packages) {
  const texts = [];
  for (const place of packages) {
    const { name, version, license } = JSON.parse(await readFile(path.join(place, "package.json"), "utf8"));
    const file = (await readdir(place)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? await readFile(path.join(place, file), "utf8") : "";
    texts.push(`${name} ${version}: ${license}\n\n${text.trim()}`);
  }
  return texts.join(`\n\n${"-".repeat(80)}\n\n`) + "\n";
}
