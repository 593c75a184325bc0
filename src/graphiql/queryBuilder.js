/**
 * The query builder has fields without labels, and fields to tick that the mouse alone reaches. This names the first,
 * and puts the second into the order of Tab, where Enter and Space tick them.
 */
export function makeBuilderAccessible(page) {
  new MutationObserver(() => {
    for (const field of page.querySelectorAll(".docExplorerWrap :is(input, select):not([aria-label])")) {
      field.ariaLabel = field.closest("[data-arg-name]")?.dataset.argName ?? NAMES[field.localName];
    }
    for (const field of page.querySelectorAll(`${TICKED}:not([tabindex])`)) {
      field.tabIndex = 0;
      field.role = "button";
    }
  }).observe(page, { childList: true, subtree: true });
  page.addEventListener("keydown", (event) => {
    if (event.target.matches(TICKED) && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      event.target.click();
    }
  });
}

const TICKED = ".docExplorerWrap :is(span[data-field-name], [data-arg-name] > span:first-child)";
const NAMES = { input: "Name of the operation", select: "Kind of operation" };
