// Automatic persisted queries: `node persisted.mjs URL TOKEN` asks by Apollo Client and by urql, for two visitors of a page.
import { ApolloClient, HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { Client, fetchExchange, gql } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { createHash } from "node:crypto";

const [url, token] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}` };

// In a browser: `sha256` of the npm package crypto-hash.
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const apollo = () =>
  new ApolloClient({
    link: new PersistedQueryLink({ sha256, useGETForHashedQueries: true }).concat(new HttpLink({ uri: url, headers })),
    cache: new InMemoryCache(),
  });
const urql = () => new Client({ url, fetchOptions: { headers }, exchanges: [persistedExchange(), fetchExchange] });

const APOLLO = gql`query Apollo { project { id slug } }`;
const URQL = gql`query Urql { project { id slug } }`;

const slugs = [];
for (const _visitor of [1, 2]) {
  slugs.push((await apollo().query({ query: APOLLO })).data.project.slug);
  slugs.push((await urql().query(URQL, {}).toPromise()).data.project.slug);
}
console.log(JSON.stringify({ slugs }));
