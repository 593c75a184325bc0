/**
 * The dashboard: an example of how a page asks the gateway, with fetch alone. Copy from it what you need.
 *
 * Each panel sends one operation, and shows it below itself with what it cost. The parts of this file: asking; what is
 * asked; the panels; one customer; live changes.
 */

const $ = (id) => document.getElementById(id);
const endpoint = new URL(document.body.dataset.endpoint, location.href);
let token = document.body.dataset.token || sessionStorage.getItem("customergraph:token") || "";

// Asking ------------------------------------------------------------------------------------------------------------

/** The gateway did not do what was asked. */
class Refused extends Error {}

/** Sends an operation and returns its data; throws Refused with the reason. The panel shows the operation. */
async function ask(panel, query, variables = {}) {
  const since = performance.now();
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { ...headers(), Accept: "application/graphql-response+json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors, extensions } = await response.json();
  if (panel) showOperation(panel, query, variables, `${price(extensions)}, ${Math.round(performance.now() - since)} ms`);
  if (errors) throw new Refused(errors[0].message);
  return data;
}

function headers() {
  return { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
}

/** Returns the payload of a mutation. Its `userErrors` are mistakes in the input, each with the path of its field. */
async function change(mutation, declarations, call, variables) {
  const data = await ask(null, `mutation(${declarations}) { ${call} }`, variables);
  return data[mutation];
}

function price(extensions) {
  return extensions?.cost ? `cost ${extensions.cost.actual} of ${extensions.cost.requested}` : "no cost";
}

function showOperation(panel, query, variables, note) {
  const graphiql = new URL(endpoint);
  graphiql.hash = new URLSearchParams({ query, variables: JSON.stringify(variables, null, 2) });
  const old = panel.querySelector(".operation");
  const shown = make("details", { class: "operation", open: old?.open ? "" : null }, [
    make("summary", {}, [`The operation of this panel: ${note}`]),
    make("pre", { tabindex: 0, "aria-label": "Operation" }, [`${query.trim()}\n\n${JSON.stringify(variables)}`]),
    make("a", { href: graphiql, target: "_blank", rel: "noopener" }, ["Open in GraphiQL"]),
  ]);
  if (old) old.replaceWith(shown);
  else panel.append(shown);
}

// What is asked -----------------------------------------------------------------------------------------------------

// Everything that is counted and added up is one request, of one snapshot: the numbers agree.
const HOME = `
query Home($from: Date!, $to: Date!) {
  project { name }
  customers(first: 1) { totalCount facetCounts { facet count } }
  reviewed: customers(first: 5, filter: REVIEWED, sortKey: REVIEWED_AT) {
    nodes { id name reviews(first: 1) { nodes { id score body source createdAt } } }
  }
  stats(dateFrom: $from, dateTo: $to, interval: MONTH) {
    revenue { periodStart currency amount }
    reviews { periodStart reviewsCount averageScore }
    messages { scheduledCount sentCount deliveredCount openedCount clickedCount }
  }
}`;
const CUSTOMERS = `
query Customers($q: String, $filter: CustomerFilter, $sortKey: CustomerSortKey, $sortDir: SortDirection,
                $first: Int, $after: String, $last: Int, $before: String) {
  customers(q: $q, filter: $filter, sortKey: $sortKey, sortDir: $sortDir,
            first: $first, after: $after, last: $last, before: $before) {
    totalCount
    facetCounts { facet count }
    nodes { id name email phone company createdAt reviewedAt isArchived isUnsubscribed tags { slug name } }
    pageInfo { hasNextPage endCursor hasPreviousPage startCursor }
  }
}`;
const CUSTOMER = `
query Customer($id: ID!) {
  tags { slug name }
  customer(id: $id) {
    id name firstName lastName email phone notes isArchived isUnsubscribed tags { slug }
    messages { nodes { id channel template status scheduledAt } }
    reviews { nodes { id score body source createdAt } }
    charges { nodes { id amount currency chargedAt } }
  }
}`;
const CHANGES = `
subscription Changes($after: String) {
  changes(after: $after) {
    nodes { position kind action at fields node { id ... on Customer { name } ... on Review { score } } }
    pageInfo { endCursor }
  }
}`;
const COLUMNS = [
  ["Name", "NAME"], ["Email", "EMAIL"], ["Phone", "PHONE"], ["Company", "COMPANY"],
  ["Reviewed", "REVIEWED_AT"], ["Added", "CREATED_AT"],
];
// A page is so many from the start or after a cursor, or so many before one.
const FIRST_PAGE = { first: 20, after: null, last: null, before: null };
const list = { q: null, filter: null, sortKey: "CREATED_AT", sortDir: "DESC", ...FIRST_PAGE };

// The panels --------------------------------------------------------------------------------------------------------

async function showHome() {
  const to = new Date();
  const from = new Date(Date.UTC(to.getUTCFullYear(), to.getUTCMonth() - 11, 1));
  const data = await ask($("home"), HOME, { from: day(from), to: day(to) });
  $("project").textContent = data.project.name;
  showTiles(data);
  showRevenue(data.stats.revenue);
  const scores = data.stats.reviews.filter((row) => row.averageScore !== null);
  $("scores").replaceChildren(line(scores.map((row) => [month(row.periodStart), row.averageScore]), 5));
  $("funnel").replaceChildren(bars(funnel(data.stats.messages)));
  $("reviews").replaceChildren(
    ...data.reviewed.nodes.map(({ id, name, reviews: { nodes: [review] } }) =>
      make("li", {}, [opener(id, name), `: ${stars(review.score)} ${review.body ?? ""} (${review.source}, ${date(review.createdAt)})`]),
    ),
  );
}

function showTiles({ customers, stats }) {
  const counts = Object.fromEntries(customers.facetCounts.map(({ facet, count }) => [facet, count]));
  const reviews = sum(stats.reviews, (row) => row.reviewsCount);
  const score = sum(stats.reviews, (row) => row.reviewsCount * (row.averageScore ?? 0)) / reviews;
  const tiles = [
    ["Customers", customers.totalCount], ["Asked", counts.ASKED], ["Reviewed", counts.REVIEWED], ["Missed", counts.MISSED],
    ["Unsubscribed", counts.UNSUBSCRIBED], ["Archived", counts.ARCHIVED],
    ["Reviews", reviews], ["Average score", reviews ? score.toFixed(2) : "–"],
  ];
  $("tiles").replaceChildren(
    ...tiles.map(([name, value]) => make("div", {}, [make("dt", {}, [name]), make("dd", {}, [value.toLocaleString()])])),
  );
}

/** Shows the months of one currency: amounts of different currencies are never added up. */
function showRevenue(rows) {
  const currencies = [...new Set(rows.map((row) => row.currency))];
  const chosen = currencies.includes($("currency").value) ? $("currency").value : currencies[0];
  $("currency").replaceChildren(...currencies.map((code) => make("option", { selected: code === chosen ? "" : null }, [code])));
  const ofCurrency = rows.filter((row) => row.currency === chosen);
  const months = ofCurrency.map((row) => [month(row.periodStart), row.amount, money(row.amount, row.currency)]);
  $("revenue").replaceChildren(bars(months));
  $("currency").onchange = () => showRevenue(rows);
}

function funnel(rows) {
  const stages = ["scheduled", "sent", "delivered", "opened", "clicked"];
  return stages.map((stage) => {
    const count = sum(rows, (row) => row[`${stage}Count`]);
    return [stage, count, count.toLocaleString()];
  });
}

let questions = 0;

async function showCustomers() {
  const question = ++questions;
  const { customers } = await ask($("customers"), CUSTOMERS, list);
  // An answer that comes after a later question is of no use any more.
  if (question !== questions) return;
  $("facets").replaceChildren(
    ...customers.facetCounts.map(({ facet, count }) => {
      const button = make("button", { type: "button", "aria-pressed": list.filter === facet }, [`${words(facet)} ${count.toLocaleString()}`]);
      button.onclick = () => narrow({ filter: list.filter === facet ? null : facet });
      return button;
    }),
  );
  $("columns").replaceChildren(...COLUMNS.map(([title, key]) => header(title, key)), make("th", {}, ["Tags"]));
  $("rows").replaceChildren(...customers.nodes.map(row));
  $("count").textContent = `${customers.totalCount.toLocaleString()} customers`;
  const { hasNextPage, endCursor, hasPreviousPage, startCursor } = customers.pageInfo;
  $("next").disabled = !hasNextPage;
  $("next").onclick = () => narrow({ after: endCursor });
  $("previous").disabled = !hasPreviousPage;
  $("previous").onclick = () => narrow({ first: null, last: FIRST_PAGE.first, before: startCursor });
}

function header(title, key) {
  const isSorted = list.sortKey === key;
  const button = make("button", { type: "button" }, [title]);
  button.onclick = () => narrow({ sortKey: key, sortDir: isSorted && list.sortDir === "ASC" ? "DESC" : "ASC" });
  return make("th", { "aria-sort": isSorted ? (list.sortDir === "ASC" ? "ascending" : "descending") : null }, [button]);
}

function row(customer) {
  const state = customer.isArchived ? " (archived)" : customer.isUnsubscribed ? " (unsubscribed)" : "";
  const cells = [customer.email, customer.phone, customer.company, date(customer.reviewedAt), date(customer.createdAt)];
  return make("tr", {}, [
    make("td", {}, [opener(customer.id, customer.name), state]),
    ...cells.map((cell) => make("td", {}, [cell ?? ""])),
    make("td", {}, customer.tags.map((tag) => make("span", { class: "tag" }, [tag.name]))),
  ]);
}

/** Asks for another list or page: without a place in the list, from its beginning. */
function narrow(conditions) {
  Object.assign(list, FIRST_PAGE, conditions);
  return guarded(showCustomers);
}

// One customer ------------------------------------------------------------------------------------------------------

function opener(id, name) {
  const button = make("button", { type: "button", class: "opener" }, [name]);
  button.onclick = () => guarded(() => openCustomer(id));
  return button;
}

async function openCustomer(id) {
  const { customer, tags } = await ask($("drawer"), CUSTOMER, { id });
  if (!customer) throw new Refused("This customer is gone.");
  $("drawer-title").textContent = customer.name;
  $("actions").replaceChildren(
    ...switches(customer).map(([mutation, label, undo]) => {
      const button = make("button", { type: "button" }, [label]);
      button.onclick = () => guarded(() => act(customer, mutation, label, undo));
      return button;
    }),
  );
  showDetails(customer);
  showTags(customer, tags);
  showHistory(customer);
  if (!$("drawer").open) $("drawer").showModal();
}

/** Returns the mutations that can be done now: each with its label and the mutation that undoes it. */
function switches({ isArchived, isUnsubscribed }) {
  return [
    isArchived ? ["unarchiveCustomer", "Bring back", "archiveCustomer"] : ["archiveCustomer", "Archive", "unarchiveCustomer"],
    isUnsubscribed
      ? ["resubscribeCustomer", "Subscribe again", "unsubscribeCustomer"]
      : ["unsubscribeCustomer", "Unsubscribe", "resubscribeCustomer"],
  ];
}

async function act(customer, mutation, label, undo) {
  const payload = await change(mutation, "$id: ID!", `${mutation}(id: $id) { userErrors { message } }`, { id: customer.id });
  if (payload.userErrors.length) throw new Refused(payload.userErrors[0].message);
  $("drawer").close();
  const button = make("button", { type: "button" }, ["Undo"]);
  button.onclick = () => guarded(() => act(customer, undo, "Undo", mutation));
  $("toast").replaceChildren(`${label}: ${customer.name}. `, button);
  await showCustomers();
}

function showDetails(customer) {
  const fields = [["firstName", "First name"], ["lastName", "Last name"], ["email", "Email"], ["phone", "Phone"], ["notes", "Notes"]];
  const inputs = fields.map(([name, label]) =>
    make("label", {}, [label, field(name, customer[name] ?? ""), make("span", { class: "error", id: `error-${name}` }, [])]),
  );
  $("details").replaceChildren(...inputs, make("button", {}, ["Save"]));
  $("details").onsubmit = (event) => {
    event.preventDefault();
    guarded(() => save(customer.id, fields.map(([name]) => name)));
  };
}

function field(name, value) {
  const input = make(name === "notes" ? "textarea" : "input", { name, "aria-describedby": `error-${name}` }, []);
  input.value = value;
  return input;
}

/** Saves all fields, and shows each mistake beside its field: `userErrors` has the path of every one. */
async function save(id, names) {
  const input = Object.fromEntries(names.map((name) => [name, $("details").elements[name].value || null]));
  const call = "updateCustomer(id: $id, input: $input) { userErrors { field message } }";
  const payload = await change("updateCustomer", "$id: ID!, $input: UpdateCustomerInput!", call, { id, input });
  for (const name of names) {
    const mistakes = payload.userErrors.filter((error) => error.field?.at(-1) === name);
    $(`error-${name}`).textContent = mistakes.map((error) => error.message).join(" ");
    $("details").elements[name].setAttribute("aria-invalid", mistakes.length > 0);
  }
  if (payload.userErrors.length) return;
  $("toast").textContent = "Saved.";
  await Promise.all([openCustomer(id), showCustomers()]);
}

function showTags(customer, tags) {
  const has = new Set(customer.tags.map((tag) => tag.slug));
  const choices = tags.map((tag) => {
    const box = make("input", { type: "checkbox", checked: has.has(tag.slug) ? "" : null }, []);
    box.onchange = () => guarded(() => setTags(customer.id, box.checked ? has.add(tag.slug) : (has.delete(tag.slug), has)));
    return make("label", {}, [box, ` ${tag.name}`]);
  });
  $("tags").replaceChildren(make("legend", {}, ["Tags"]), ...choices);
}

async function setTags(id, slugs) {
  const call = "updateCustomerTags(id: $id, tagSlugs: $slugs) { userErrors { message } }";
  const payload = await change("updateCustomerTags", "$id: ID!, $slugs: [String!]!", call, { id, slugs: [...slugs] });
  if (payload.userErrors.length) throw new Refused(payload.userErrors[0].message);
  await showCustomers();
}

function showHistory({ messages, reviews, charges }) {
  const parts = [
    ["Messages", messages.nodes, (one) => `${date(one.scheduledAt)} ${words(one.template)} by ${one.channel}: ${words(one.status)}`],
    ["Reviews", reviews.nodes, (one) => `${date(one.createdAt)} ${stars(one.score)} ${one.body ?? ""}`],
    ["Charges", charges.nodes, (one) => `${date(one.chargedAt)} ${money(one.amount, one.currency)}`],
  ];
  $("history").replaceChildren(
    ...parts.flatMap(([title, nodes, text]) => [
      make("h3", {}, [title]),
      nodes.length ? make("ul", {}, nodes.map((one) => make("li", {}, [text(one)]))) : make("p", {}, ["None yet."]),
    ]),
  );
}

// Live changes ------------------------------------------------------------------------------------------------------

/** Follows the feed for ever. After a lost stream it goes on from the last `endCursor`, so that nothing is missed. */
async function follow() {
  let after = null;
  for (;;) {
    try {
      const variables = { after };
      for await (const { data, errors, extensions } of events(CHANGES, variables)) {
        if (errors) throw new Refused(errors[0].message);
        showOperation($("live"), CHANGES, variables, `${price(extensions)} for the last event`);
        after = data.changes.pageInfo.endCursor;
        if (data.changes.nodes.length) await showChanges(data.changes.nodes);
      }
    } catch (error) {
      if (error instanceof Refused) return notice(error.message);
    }
    await new Promise((resume) => setTimeout(resume, 1000));
  }
}

/** Yields the answers of a subscription, as GraphQL over SSE sends them: each `next` event has one. */
async function* events(query, variables) {
  const body = JSON.stringify({ query, variables });
  const response = await fetch(endpoint, { method: "POST", headers: { ...headers(), Accept: "text/event-stream" }, body });
  let text = "";
  // Before the stream begins a refusal is an answer like any other.
  if (!response.headers.get("content-type").startsWith("text/event-stream")) {
    const { errors } = await response.json();
    throw new Refused(errors[0].message);
  }
  for await (const piece of chunks(response.body.pipeThrough(new TextDecoderStream()))) {
    text += piece;
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const lines = block.split("\n");
      const data = lines.filter((line_) => line_.startsWith("data:")).map((line_) => line_.slice(5)).join("\n");
      if (lines.includes("event: next")) yield JSON.parse(data);
    }
  }
}

async function* chunks(stream) {
  const reader = stream.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
}

async function showChanges(nodes) {
  const lines = nodes.map(({ kind, action, at, fields, node }) => {
    const what = [words(kind), words(action).toLowerCase(), node?.name, fields.join(", ")].filter(Boolean).join(" · ");
    return make("li", {}, [`${new Date(at).toLocaleTimeString()} ${what}`]);
  });
  $("changes").replaceChildren(...[...lines.reverse(), ...$("changes").children].slice(0, 20));
  await showCustomers();
}

// Making elements ---------------------------------------------------------------------------------------------------

/** Makes an element. Texts stay texts: what customers wrote is never read as HTML. */
function make(tag, attributes, children, namespace = "http://www.w3.org/1999/xhtml") {
  const element = document.createElementNS(namespace, tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) element.setAttribute(name, value);
  element.append(...children.map((child) => (child instanceof Node ? child : String(child))));
  return element;
}

const svg = (tag, attributes, children = []) => make(tag, attributes, children, "http://www.w3.org/2000/svg");

/** Draws [label, value, text] as bars. */
function bars(rows) {
  const most = Math.max(1, ...rows.map(([, value]) => value));
  const shapes = rows.flatMap(([label, value, text], index) => [
    svg("text", { x: 0, y: index * 20 + 14 }, [label]),
    svg("rect", { x: 64, y: index * 20 + 4, width: Math.max(0, (value / most) * 150), height: 13 }),
    svg("text", { x: 220, y: index * 20 + 14 }, [text]),
  ]);
  return drawing(rows.map(([label, , text]) => `${label}: ${text}`), 300, rows.length * 20 + 4, shapes);
}

/** Draws [label, value] as a line between 0 and the most. */
function line(rows, most) {
  const points = rows.map(([, value], index) => [20 + (index * 240) / Math.max(1, rows.length - 1), 110 - (value / most) * 100]);
  const shapes = [
    svg("path", { d: points.map(([x, y], index) => `${index ? "L" : "M"}${x} ${y}`).join(" ") }),
    ...points.map(([x, y]) => svg("circle", { cx: x, cy: y, r: 3 })),
    ...points.slice(-1).map(([x, y]) => svg("text", { x: x + 8, y: y + 4 }, [rows.at(-1)[1].toFixed(2)])),
    ...rows.filter((_, index) => index % 3 === 0).map(([label], index) => svg("text", { x: points[index * 3][0] - 14, y: 126 }, [label])),
  ];
  return drawing(rows.map(([label, value]) => `${label}: ${value.toFixed(2)}`), 300, 130, shapes);
}

function drawing(texts, width, height, shapes) {
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": texts.join("; ") || "No data" }, shapes);
}

const sum = (rows, value) => rows.reduce((total, one) => total + value(one), 0);
const day = (moment) => moment.toISOString().slice(0, 10);
const date = (moment) => (moment ? new Date(moment).toLocaleDateString() : "");
const month = (first) => new Date(first).toLocaleDateString(undefined, { month: "short", year: "2-digit", timeZone: "UTC" });
const stars = (score) => "★".repeat(score) + "☆".repeat(5 - score);
const words = (name) => name[0] + name.slice(1).toLowerCase().replaceAll("_", " ");

/** Writes an amount, which is in the smallest unit of its currency. */
function money(amount, currency) {
  const format = new Intl.NumberFormat(undefined, { style: "currency", currency });
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}

// The beginning -----------------------------------------------------------------------------------------------------

function notice(text) {
  $("notice").textContent = text;
}

/** Does something, and says what went wrong. */
async function guarded(job) {
  try {
    notice("");
    await job();
  } catch (error) {
    notice(error instanceof Refused ? error.message : "The gateway does not answer. Try again.");
  }
}

async function begin() {
  $("access").hidden = token !== "";
  if (!token) return notice("Give a token with the scopes read and write.");
  await guarded(() => Promise.all([showHome(), showCustomers()]));
  if ($("notice").textContent) $("access").hidden = false;
  else follow();
}

$("access").onsubmit = (event) => {
  event.preventDefault();
  token = $("token").value.trim();
  begin();
};
let typing;
$("q").oninput = () => {
  clearTimeout(typing);
  // Those whose name begins so come first, while one types.
  typing = setTimeout(() => {
    const q = $("q").value.trim() || null;
    narrow({ q, sortKey: q ? "RELEVANCE" : "CREATED_AT", sortDir: "DESC" });
  }, 150);
};
$("search").onsubmit = (event) => event.preventDefault();
begin();
