import { ENDPOINT } from "./endpoint.js";
import { authorization } from "./token.js";

const UNAUTHORIZED = 401;
const INTROSPECTION = "IntrospectionQuery";

/**
 * Makes the function by which GraphiQL sends operations. It returns an observable: the stop button ends the request,
 * and the gateway then stops the operation.
 *
 * A missing or refused token is no answer: `refused` is called with the reason, which is empty where none was sent.
 * `answered` is called with the cost and the milliseconds of each operation but GraphiQL's own.
 */
export function createFetcher({ token, isOpen, answered, refused }) {
  return (parameters) => ({
    subscribe(observer) {
      const controller = new AbortController();
      send(parameters, controller.signal)
        .then((answer) => {
          if (answer) observer.next(answer);
          observer.complete();
        })
        .catch((error) => {
          if (!controller.signal.aborted) observer.error(error);
        });
      return { unsubscribe: () => controller.abort() };
    },
  });

  async function send(parameters, signal) {
    if (!token && !isOpen) {
      refused({ reason: "" });
      return null;
    }
    const since = performance.now();
    const response = await fetch(ENDPOINT, {
      method: "POST",
      headers: {
        Accept: "application/graphql-response+json, application/json;q=0.9",
        "Content-Type": "application/json",
        ...authorization(token),
      },
      body: JSON.stringify(withKnownOperation(parameters)),
      signal,
    });
    const answer = await parsed(response);
    if (response.status === UNAUTHORIZED) {
      refused({ reason: token ? answer.errors[0].message : "" });
      return null;
    }
    if (parameters.operationName !== INTROSPECTION) {
      answered({ cost: answer.extensions?.cost, milliseconds: performance.now() - since });
    }
    return answer;
  }
}

async function parsed(response) {
  try {
    return await response.json();
  } catch {
    throw new Error(`The answer with status ${response.status} is no JSON: does a proxy answer for the gateway?`);
  }
}

/** For a moment after a query was pasted, GraphiQL still names the operation that stood there before. */
function withKnownOperation({ operationName, ...parameters }) {
  const isKnown = new RegExp(`\\b(query|mutation|subscription)\\s+${operationName}\\b`).test(parameters.query);
  return isKnown ? { ...parameters, operationName } : parameters;
}
