import { useEditorContext } from "@graphiql/react";
import { useEffect } from "react";

const LEAVE = "Escape and then Tab leave the editor.";

/** Names the editors for assistive technology, and lets the keyboard scroll them. */
export function EditorLabels() {
  const { queryEditor, variableEditor, responseEditor } = useEditorContext({ nonNull: true });

  useEffect(() => name(queryEditor, `Query. ${LEAVE}`), [queryEditor]);
  useEffect(() => name(variableEditor, `Variables. ${LEAVE}`), [variableEditor]);
  useEffect(() => name(responseEditor, "Answer"), [responseEditor]);
  return null;
}

function name(editor, label) {
  editor?.setOption("screenReaderLabel", label);
  if (editor) editor.getScrollerElement().tabIndex = 0;
}
