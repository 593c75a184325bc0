const NUMBER = new Intl.NumberFormat();

/** What the last answer cost, how long it took, and how much of the token's bucket is left. */
export function LastAnswer({ answer }) {
  if (!answer) return null;
  const { cost, milliseconds } = answer;
  const left = cost?.throttle?.available;
  return (
    <dl className="last-answer" aria-live="polite">
      {cost && <Value name="cost" title={`objects; at most ${NUMBER.format(cost.requested)} were possible`} of={cost.actual} />}
      <Value name="ms" title="milliseconds until the answer was here" of={Math.round(milliseconds)} />
      {left !== undefined && <Value name="left" title="objects that the token may still ask for at once" of={left} />}
    </dl>
  );
}

function Value({ name, title, of }) {
  return (
    <div title={title}>
      <dt>{name}</dt>
      <dd>{NUMBER.format(of)}</dd>
    </div>
  );
}
