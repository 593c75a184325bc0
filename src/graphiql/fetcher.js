import { EventSourceParserStream } from "eventsource-parser/stream";
import { getOperationAST, parse } from "graphql";

import { ENDPOINT } from "./endpoint.js";
import { authorization } from "./token.js";

const UNAUTHORIZED = 401;
const INTROSPECTION = "IntrospectionQuery";
const JSON_TYPES = "application/graphql-response+json, application/json;q=0.9";
const EVENTS = "text/event-stream";

/**
 * Makes the function by which GraphiQL sends operations. It returns an observable: the stop button ends the request,
 * and the gateway then stops the operation. A subscription has an answer for each of its events.
 *
 * A missing or refused token is no answer: `refused` is called with the reason, which is empty where none was sent.
 * `answered` is called with the cost and the milliseconds of each answer but those to GraphiQL's own operations.
 */
export function createFetcher({ token, isOpen, answered, refused }) {
  return (parameters) => ({
    subscribe(observer) {
      const controller = new AbortController();
      const operation = withKnownOperation(parameters);
      pass(answers(operation, controller.signal), observer).catch((error) => {
        if (!controller.signal.aborted) observer.error(error);
      });
      return { unsubscribe: () => controller.abort() };
    },
  });

  async function* answers(operation, signal) {
    if (!token && !isOpen) {
      refused({ reason: "" });
      return;
    }
    const since = performance.now();
    const response = await fetch(ENDPOINT, {
      method: "POST",
      headers: {
        Accept: isSubscription(operation) ? EVENTS : JSON_TYPES,
        "Content-Type": "application/json",
        ...authorization(token),
      },
      body: JSON.stringify(operation),
      signal,
    });
    const isStream = response.headers.get("Content-Type")?.startsWith(EVENTS);
    for await (const answer of isStream ? streamed(response) : [await parsed(response)]) {
      if (response.status === UNAUTHORIZED) {
        refused({ reason: token ? answer.errors[0].message : "" });
        return;
      }
      if (operation.operationName !== INTROSPECTION) {
        answered({ cost: answer.extensions?.cost, milliseconds: performance.now() - since });
      }
      yield answer;
    }
  }
}

function isSubscription({ query, operationName }) {
  try {
    return getOperationAST(parse(query), operationName)?.operation === "subscription";
  } catch {
    return false; // The gateway says what is wrong with the text.
  }
}

async function pass(answers, observer) {
  for await (const answer of answers) observer.next(answer);
  observer.complete();
}

/** Yields the answers of a stream (GraphQL over SSE, distinct connections), until its event `complete`. */
async function* streamed(response) {
  const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream()).getReader();
  for (let read = await events.read(); !read.done; read = await events.read()) {
    if (read.value.event === "complete") return;
    if (read.value.event === "next") yield JSON.parse(read.value.data);
  }
  throw new Error("The stream has ended early. Subscribe again, with the last endCursor as `after`.");
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
