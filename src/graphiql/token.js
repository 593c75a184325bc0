/**
 * The token is kept in the page's memory. If the user wants it remembered, the tab's sessionStorage keeps it too,
 * which no other tab reads and the browser empties with the tab.
 */
const KEY = "customergraph:token";

export function rememberedToken() {
  return sessionStorage.getItem(KEY) ?? "";
}

export function remember(token) {
  if (token) sessionStorage.setItem(KEY, token);
  else sessionStorage.removeItem(KEY);
}

/** Returns the headers that carry a token. */
export function authorization(token) {
  return token ? { Authorization: `Bearer ${token}` } : {};
}
