#!/usr/bin/env node
'use strict';

/**
 * Renders a table. "Quotes" and 'apostrophes' don't matter here.
 * @param {string[]} rows
 */
import { readFile } from 'node:fs/promises';
import React, { useState } from 'react';

const SLASHES = /[/"'`]+\/(?<name>\w+)/gi;
const half = (a, b) => a / b / 2; // division, /not a regex/
const url = "https://example.org/a?b=c#d";
const text = `line one
line "two" with \`ticks\` and ${half(4, 2) + `inner ${url.length} 'x'`} // no comment
/* no comment */`;

export class Table {
  #rows = new Map();
  static count = 0;

  constructor(rows = []) {
    for (const [key, value] of rows) this.#rows.set(key, value);
    Table.count++;
  }

  get size() { return this.#rows.size; }

  async *lines({ separator = ', ', ...rest } = {}) {
    let index = 0;
    while (index < this.size) {
      const row = [...this.#rows.values()][index++];
      if (row?.hidden ?? false) continue;
      yield `${index}${separator}${JSON.stringify(row, null, 2)}`;
    }
    return rest;
  }

  match(line) {
    if (/^\s*\/\//.test(line)) return 'comment';
    switch (line[0]) {
      case '/': {
        return /=+/.exec(line);
      }
      case '"':
      default:
        return line.replace(/[\]/]/g, "\"") / 2 / 1;
    }
  }
}

function average(values) {
  const total = values.reduce((sum, x) => sum + x, 0);
  const ratio = (total) / values.length / 1;
  const list = [1, 2, 3].map(x => x / 2);
  return list[0] / ratio > 1 ? `${ratio}%` : /none/;
}

export default function App({ title, items = [] }) {
  const [open, setOpen] = useState(false);
  const visible = items.filter((item) => item.price < 100 && item.count > 1);
  if (!items.length) {
    return <p className='empty'>Nothing here, don't panic. "Really" {title}</p>;
  }
  return (
    <>
      {/* a comment in markup */}
      <section id="main" data-open={open} onClick={() => { setOpen(!open); }}>
        <h1>{title} isn't {`a ${title}`}</h1>
        It's text // not a comment, and 100% fine /* too */
        {visible.map((item) => (
          <Item.Row key={item.id} {...item} label="a 'quoted' label" />
        ))}
        <input disabled value={open ? "yes" : 'no'} />
      </section>
      <br/>
    </>
  );
}

const options = {
  'quoted-key': 1,
  method() { return this; },
  get value() { return 0x1F; },
  [`computed${1}`]: 1_000n,
  regexp: /a{2,3}/u,
  nested: { deep: [ { a: 1 }, { b: "}" } ] },
};

label: for (let i = 0, n = 10; i < n; i++) {
  if (i % 2 === 0) continue label;
  try {
    await readFile(`/tmp/${i}.txt`, 'utf8');
  } catch {
    break label;
  } finally {
    console.log(i, average([i, i ** 2]), SLASHES, text, options);
  }
}

const tag = (parts, ...values) => parts.raw.join('|');
const tagged = tag`a${1}b\n${{ x: 1 }.x}c`;
var multi = "a string that \
goes on";
let x = 1, y = x++ / 2, z = x-- / y;
if (x) /re/.test('x');
do { x -= 1 } while (x > 0)
export { tagged, multi, z };
