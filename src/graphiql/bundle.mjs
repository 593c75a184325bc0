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

// What is changed in GraphiQL's own files; a new version that lacks such a place ends the build.
const PATCHES = [
  // Its fonts come without their licences. Without them, the bundle is a third smaller.
  [/graphiql\/dist\/style\.css$/, /@font-face\s*{[^}]*}/g, ""],
  // A tab may not contain buttons, and these do: they are a list, whose active entry is the current one.
  [/react\/dist\/ui\/tabs\.js$/, /"aria-selected": isActive, role: "tab"/g, '"aria-current": isActive'],
  [/react\/dist\/ui\/tabs\.js$/, /axis: "x", role: "tablist"/g, 'axis: "x"'],
  // Who hears the page could not tell one entry of the history from another.
  [/plugin-history\/dist\/components\.js$/, /"aria-label": "Set active",/g, ""],
];
const patched = {
  name: "patched",
  setup(build) {
    build.onLoad({ filter: /@?graphiql[\\/].*dist[\\/].*\.(js|css)$/ }, async ({ path: file }) => {
      const patches = PATCHES.filter(([place]) => place.test(file.replaceAll("\\", "/")));
      if (patches.length === 0) return null;
      let contents = await readFile(file, "utf8");
      for (const [, from, to] of patches) {
        if (!from.test(contents)) throw new Error(`${file} has no ${from}`);
        contents = contents.replace(from, to);
      }
      return { contents, loader: path.extname(file).slice(1) };
    });
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
  plugins: [patched],
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
