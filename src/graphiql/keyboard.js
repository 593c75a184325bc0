/**
 * Lets Tab leave an editor after Escape: without it, who uses the keyboard alone could not go on from there.
 * Any other key in between makes Tab indent again.
 */
export function letTabLeaveEditors() {
  let mayLeave = false;
  const listener = (event) => {
    if (event.key === "Shift") return;
    if (event.key === "Tab" && mayLeave && event.target.closest(".CodeMirror")) {
      // The editor must not see it; the browser moves the focus.
      event.stopImmediatePropagation();
    }
    mayLeave = event.key === "Escape";
  };
  addEventListener("keydown", listener, { capture: true });
}
