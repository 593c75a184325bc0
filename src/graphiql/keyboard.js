/**
 * Lets Tab leave an editor after Escape: without it, who uses the keyboard alone could not go on from there.
 * Any other key in between makes Tab indent again.
 */
export function letTabLeaveEditors() {
  let mayLeave = false;
  const listener = (event) => {
    if (event.key === "Shift") return;
    const editor = event.target.closest?.(".CodeMirror");
    if (event.key === "Tab" && mayLeave && editor) {
      // The editor must not see it; the browser moves the focus, past the part of the editor that scrolls.
      event.stopImmediatePropagation();
      const scroller = editor.querySelector(".CodeMirror-scroll");
      scroller.tabIndex = -1;
      setTimeout(() => (scroller.tabIndex = 0));
    }
    mayLeave = event.key === "Escape";
  };
  addEventListener("keydown", listener, { capture: true });
}
