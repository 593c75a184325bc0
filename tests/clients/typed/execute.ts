// A client of a few lines, with the types of the documents' variables and answers.
import type { TypedDocumentString } from "./graphql/graphql";

// README's table has the codes.
type Refusal = { message: string; extensions: { code: string; retryAfter?: number } };

export function connect(url: string, token: string) {
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
  return async <Data, Variables>(query: TypedDocumentString<Data, Variables>, variables: NoInfer<Variables>) => {
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
    return (await response.json()) as { data?: Data | null; errors?: Refusal[] };
  };
}
