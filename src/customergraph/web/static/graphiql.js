"use strict";

const place = document.getElementById("graphiql");
const root = ReactDOM.createRoot(place);
const { query, headers } = place.dataset;
let schemaIsKnown = false;

// GraphiQL keeps headers in its history whatever it is told; a token belongs in no storage.
const storageWithoutHeaders = {
  getItem: (key) => localStorage.getItem(key),
  removeItem: (key) => localStorage.removeItem(key),
  clear: () => localStorage.clear(),
  get length() {
    return localStorage.length;
  },
  setItem: (key, value) =>
    localStorage.setItem(
      key,
      value.replace(/"headers":("(\\.|[^"\\])*"|null)/g, '"headers":null'),
    ),
};

function render() {
  const send = GraphiQL.createFetcher({ url: location.pathname });
  const fetcher = async (parameters, options) => {
    const answer = await send(parameters, options);
    schemaIsKnown ||= Boolean(answer?.data?.__schema);
    return answer;
  };
  root.render(
    React.createElement(GraphiQL, {
      fetcher,
      defaultQuery: query,
      headers,
      defaultEditorToolsVisibility: "headers",
      shouldPersistHeaders: false,
      storage: storageWithoutHeaders,
      onEditHeaders: readSchemaSoon,
    }),
  );
}

// The schema is first asked for before a token was typed: a new fetcher makes GraphiQL ask again.
let waiting;
function readSchemaSoon(edited) {
  clearTimeout(waiting);
  if (!schemaIsKnown && /bearer \S+/i.test(edited)) {
    waiting = setTimeout(render, 500);
  }
}

render();
