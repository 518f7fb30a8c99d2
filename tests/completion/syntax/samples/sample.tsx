import React, { type ReactNode, useEffect } from "react";

interface Props<T> {
  items: T[];
  render: (item: T, index: number) => ReactNode;
  title?: string;
}

/** A list. It isn't a "table". */
export function List<T extends { id: string }>({ items, render, title = 'List' }: Props<T>) {
  const [query, setQuery] = React.useState<string>("");
  useEffect(() => {
    document.title = `${title} (${items.length})`;
    return () => { document.title = ""; };
  }, [title, items.length]);

  const shown = items.filter((item) => item.id.length > 2 && item.id < "z");
  const count = shown.length / 2;
  if (count < 1) return null;

  return (
    <div className="list" style={{ color: 'red', margin: 4 }}>
      <h2>{title}: that's {count > 1 ? "many" : 'one'} item's worth</h2>
      <input
        type="text"
        value={query}
        onChange={(event) => setQuery(event.target.value)}
        disabled
      />
      {/* a comment: don't stop */}
      <ul>
        {shown.map((item, index) => (
          <li key={item.id} data-index={index}>
            {render(item, index)} // text, no comment
            <b>bold</b> and "quoted" text
          </li>
        ))}
      </ul>
      {query !== '' && <Footer.Note level={1} text={`found ${query}`} />}
    </div>
  );
}

const Footer = {
  Note: ({ level, text }: { level: number; text: string }) => <small title="it's">{level}: {text}</small>,
};

const identity = <T,>(x: T): T => x;
const pick = <T extends object, K extends keyof T>(value: T, key: K): T[K] => value[key];

type Action =
  | { type: "add"; payload: string }
  | { type: 'remove'; id: number };

function reduce(state: string[], action: Action): string[] {
  switch (action.type) {
    case "add":
      return [...state, action.payload];
    case 'remove':
      return state.filter((_, i) => i !== action.id);
  }
}

export class Boundary extends React.Component<{ children: ReactNode }, { failed: boolean }> {
  state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  componentDidCatch(error: Error) {
    console.error("caught", error.message.replace(/["']/g, ""));
  }

  render(): ReactNode {
    if (this.state.failed) {
      return <p>Something's wrong.</p>;
    }
    return <>{this.props.children}</>;
  }
}

export function App() {
  const [state, dispatch] = React.useReducer(reduce, ["abc", 'def']);
  const ref = React.useRef<HTMLDivElement>(null);
  const items = state.map((id) => ({ id }));
  const less = items.length < 3 ? <i>few</i> : <i>many</i>;
  return (
    <Boundary>
      <div ref={ref}>
        <List
          items={items}
          render={(item) => <span onClick={() => dispatch({ type: "add", payload: item.id })}>{item.id}</span>}
          title="Things you don't need"
        />
        {less}
        {identity(1) + pick({ a: 2 }, "a")}
        <a href='https://example.org/?q="x"'>link &amp; more</a>
      </div>
    </Boundary>
  );
}

export const later = async () => {
  const module = await import("./later");
  return module.default;
};
