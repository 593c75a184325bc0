import { useEffect, useRef, useState } from "react";

import { ENDPOINT } from "./endpoint.js";
import { authorization, remember, rememberedToken } from "./token.js";

/**
 * The bar with the token, and whose token it is.
 * @param refusal why the last request was refused for its token; null if it was not. A new one takes the focus here.
 */
export function TokenBar({ token, use, refusal }) {
  const [typed, setTyped] = useState(token);
  const [isRemembered, setRemembered] = useState(rememberedToken() !== "");
  const [holder, setHolder] = useState(null);
  const field = useRef(null);

  useEffect(() => {
    setHolder(null);
    const controller = new AbortController();
    if (token) readHolder(token, controller.signal).then(setHolder, () => {});
    return () => controller.abort();
  }, [token]);
  useEffect(() => {
    if (refusal || !token) field.current.focus();
  }, [refusal, token]);
  useEffect(() => remember(isRemembered ? token : ""), [isRemembered, token]);

  function submit(event) {
    // The browser would put the form into the address.
    event.preventDefault();
    use(typed.trim());
  }

  return (
    <header className="bar">
      <h1>customergraph</h1>
      <form onSubmit={submit}>
        <label htmlFor="token">Token</label>
        <input
          id="token"
          type="password"
          autoComplete="off"
          spellCheck={false}
          placeholder="cg_…"
          ref={field}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        <button type="submit">Use</button>
        <label>
          <input type="checkbox" checked={isRemembered} onChange={(event) => setRemembered(event.target.checked)} />
          Remember for this tab
        </label>
      </form>
      <p role="status">{holder ? <Holder {...holder} /> : <Invitation token={token} refusal={refusal} />}</p>
    </header>
  );
}

const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

function Holder({ project, scopes, expiresAt }) {
  return (
    <>
      <strong>{project.name}</strong> {scopes.join(", ")}
      {expiresAt && ` until ${TIME.format(new Date(expiresAt))}`}
    </>
  );
}

function Invitation({ token, refusal }) {
  if (refusal?.reason) return refusal.reason;
  if (token) return "";
  return (
    <>
      Paste a token to begin. <code>customergraph token create</code> makes one.
    </>
  );
}

/** Returns whose token it is; fails for a token that is not valid. */
async function readHolder(token, signal) {
  const response = await fetch(`${ENDPOINT}/token`, { headers: authorization(token), signal });
  if (!response.ok) throw new Error(response.statusText);
  return response.json();
}
