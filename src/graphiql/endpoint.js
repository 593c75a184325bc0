/** The path of the endpoint, which is that of this page, below whatever prefix a proxy serves it. */
export const ENDPOINT = location.pathname.replace(/\/$/, "");
