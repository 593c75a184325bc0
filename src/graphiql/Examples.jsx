import { ChevronDownIcon, DropdownMenu, useEditorContext } from "@graphiql/react";
import { useEffect, useState } from "react";

import nestedHistory from "../customergraph/web/static/first-query.graphql";
import changesSince from "./examples/changes-since.graphql";
import counts from "./examples/counts.graphql";
import facets from "./examples/facets.graphql";
import lifecycle from "./examples/lifecycle.graphql";
import mistakes from "./examples/mistakes.graphql";
import paging from "./examples/paging.graphql";
import search from "./examples/search.graphql";

const EXAMPLES = {
  "Customers with their history": nestedHistory,
  "Search by words": search,
  "Page by page": paging,
  "Facets": facets,
  "Counts": counts,
  "Changes since a day": changesSince,
  "Archive, and bring back": lifecycle,
  "Mistakes in an input": mistakes,
};
const TEXTS = new Set(Object.values(EXAMPLES));

/** The menu of examples. One opens in a tab of its own, unless the present tab holds an example as it was. */
export function Examples() {
  const { queryEditor, variableEditor, addTab, tabs } = useEditorContext({ nonNull: true });
  const [wanted, setWanted] = useState(null);

  function open(text) {
    const present = queryEditor.getValue();
    if (present.trim() && !TEXTS.has(present)) addTab();
    setWanted(text);
  }
  // Not at once: a new tab empties the editor when it is there.
  useEffect(() => {
    if (wanted === null) return;
    queryEditor.setValue(wanted);
    variableEditor?.setValue("");
    setWanted(null);
  }, [wanted, tabs.length, queryEditor, variableEditor]);

  return (
    // Not modal: what is behind it would be hidden from assistive technology, with the focus in it.
    <DropdownMenu modal={false}>
      <DropdownMenu.Button className="examples">
        Examples <ChevronDownIcon aria-hidden="true" />
      </DropdownMenu.Button>
      <DropdownMenu.Content align="end">
        {Object.entries(EXAMPLES).map(([title, text]) => (
          <DropdownMenu.Item key={title} onSelect={() => open(text)}>
            {title}
          </DropdownMenu.Item>
        ))}
      </DropdownMenu.Content>
    </DropdownMenu>
  );
}
