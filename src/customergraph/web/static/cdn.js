"use strict";

const place = document.getElementById("graphiql");

// GraphiQL keeps headers in its history whatever it is told; a token belongs in no storage.
const storageWithoutHeaders = {
  getItem: (key) => localStorage.getItem(key),
  removeItem: (key) => localStorage.removeItem(key),
  clear: () => localStorage.clear(),
  get length() {
    return localStorage.length;
  },
  setItem: (key, value) => localStorage.setItem(key, withoutHeaders(key, value)),
};

function withoutHeaders(key, value) {
  const isHistory = /:(queries|favorites)$/.test(key);
  return isHistory ? JSON.stringify(JSON.parse(value, dropHeaders)) : value;
}

function dropHeaders(name, value) {
  return name === "headers" ? null : value;
}

// For a moment after a query was pasted, GraphiQL still names the operation that stood there before.
function withKnownOperation({ operationName, ...parameters }) {
  const isKnown = new RegExp(`\\b(query|mutation)\\s+${operationName}\\b`).test(parameters.query);
  return isKnown ? { ...parameters, operationName } : parameters;
}

function start() {
  const root = ReactDOM.createRoot(place);
  const send = GraphiQL.createFetcher({ url: location.pathname });
  const { query, headers } = place.dataset;
  let schemaIsKnown = false;
  let waiting;

  async function ask(parameters, options) {
    const answer = await send(withKnownOperation(parameters), options);
    if (answer?.data?.__schema && !schemaIsKnown) {
      schemaIsKnown = true;
      // What was said about a missing token is true no more.
      if (waiting) show({ response: "" });
    }
    return answer;
  }

  // The schema is first asked for before a token was typed: a new fetcher makes GraphiQL ask again.
  function readHeaders(edited) {
    clearTimeout(waiting);
    show({ defaultHeaders: edited });
    if (!schemaIsKnown && /bearer [^\s"]+/i.test(edited)) {
      waiting = setTimeout(() => show({ fetcher: (...sent) => ask(...sent) }), 500);
    }
  }

  const properties = {
    fetcher: ask,
    defaultQuery: query,
    headers,
    defaultHeaders: headers,
    defaultEditorToolsVisibility: "headers",
    shouldPersistHeaders: false,
    storage: storageWithoutHeaders,
    onEditHeaders: readHeaders,
  };

  function show(changed) {
    root.render(React.createElement(GraphiQL, Object.assign(properties, changed)));
  }

  show({});
}

if (window.ReactDOM && window.GraphiQL) {
  start();
} else {
  place.textContent =
    "GraphiQL could not be loaded: its files come from unpkg.com, and the browser did not get them," +
    " or got others than the ones this page knows. The API itself answers at this address without them.";
}
