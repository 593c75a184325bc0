/** GraphiQL's page: a bar with the token, and GraphiQL below it. */
import { explorerPlugin } from "@graphiql/plugin-explorer";
import "@graphiql/plugin-explorer/style.css";
import { GraphiQL } from "graphiql";
import "graphiql/style.css";
import { useCallback, useMemo, useState } from "react";
import { createRoot } from "react-dom/client";

import firstQuery from "../customergraph/web/static/first-query.graphql";
import { Examples } from "./Examples.jsx";
import { EditorLabels } from "./EditorLabels.jsx";
import { LastAnswer } from "./LastAnswer.jsx";
import { TokenBar } from "./TokenBar.jsx";
import { sortTypes } from "./documentation.js";
import { createFetcher } from "./fetcher.js";
import { letTabLeaveEditors } from "./keyboard.js";
import { makeBuilderAccessible } from "./queryBuilder.js";
import "./page.css";
import { rememberedToken } from "./token.js";

// What a link to this page asks: its hash, which browsers do not send.
const asked = new URLSearchParams(location.hash.slice(1));

// The same list for each rendering: for a new one GraphiQL would close the plugin that is open.
const plugins = [{ ...explorerPlugin({ showAttribution: false }), title: "Query builder" }];

/**
 * The whole page.
 * @param shownToken the token that the server shows, as `customergraph demo` does; usually empty
 * @param isOpen whether the schema may be read without a token
 */
function Page({ shownToken, isOpen }) {
  const [token, setToken] = useState(shownToken || rememberedToken());
  const [refusal, setRefusal] = useState(null);
  const [lastAnswer, setLastAnswer] = useState(null);

  const use = useCallback((secret) => {
    setRefusal(null);
    setToken(secret);
  }, []);
  // A new fetcher makes GraphiQL read the schema again.
  const fetcher = useMemo(
    () => createFetcher({ token, isOpen, answered: setLastAnswer, refused: setRefusal }),
    [token, isOpen],
  );
  const mayReadSchema = isOpen || token !== "";

  return (
    <>
      <TokenBar token={token} use={use} refusal={refusal} />
      <main>
        <GraphiQL
          fetcher={fetcher}
          // null: GraphiQL does not ask for it.
          schema={mayReadSchema ? undefined : null}
          onSchemaChange={sortTypes}
          schemaDescription
          defaultQuery={firstQuery}
          query={asked.get("query") ?? undefined}
          variables={asked.get("variables") ?? undefined}
          plugins={plugins}
          // A token that is typed there would be kept in the history.
          isHeadersEditorEnabled={false}
          shouldPersistHeaders={false}
        >
          <GraphiQL.Logo>
            <Examples />
          </GraphiQL.Logo>
          <GraphiQL.Toolbar>
            {({ prettify, merge, copy }) => (
              <>
                {prettify}
                {merge}
                {copy}
                <LastAnswer answer={lastAnswer} />
              </>
            )}
          </GraphiQL.Toolbar>
          <EditorLabels />
        </GraphiQL>
      </main>
    </>
  );
}

const place = document.getElementById("graphiql");
letTabLeaveEditors();
makeBuilderAccessible(place);
createRoot(place).render(<Page shownToken={place.dataset.token} isOpen={place.dataset.open === "true"} />);
