import assert from "node:assert/strict";
import { test } from "node:test";
import { type Key, type Reason, Visible } from "./visible.ts";

function watched() {
  const told: unknown[][] = [];
  const clock = { now: 0 };
  const visible = new Visible(
    {
      shown: (key: Key, ms: number) => told.push(["shown", key[0], ms]),
      partlyAccepted: (key: Key, length: number) => told.push(["partly", key[0], length]),
      dismissed: (key: Key, reason: Reason) => told.push(["dismissed", key[0], reason]),
    },
    () => clock.now,
  );
  const offer = (id: string, text = "width * height", offset = 100, typed = 0) =>
    visible.offered({ key: [id, 0], uri: "a", text, typed, offset });
  const insert = (offset: number, text: string) => {
    visible.changed("a", [{ offset, removed: 0, text }]);
    visible.cursor("a", offset + text.length);
  };
  return { told, clock, visible, offer, insert };
}

test("typing what is shown leaves it visible, another key ends it", () => {
  const { told, clock, offer, insert } = watched();
  offer("1");
  insert(100, "w");
  insert(101, "i");
  clock.now = 900;
  assert.deepEqual(told, []);
  insert(102, "x");
  assert.deepEqual(told, [["shown", "1", 900], ["dismissed", "1", "typed_over"]]);
});

test("a word taken at once is told with its length from the item's start, and is no dismissal", () => {
  const { told, clock, visible, offer, insert } = watched();
  offer("1", "self.width", 100, 5);
  insert(100, "wid");
  assert.deepEqual(told, [["partly", "1", 8]]);
  clock.now = 50;
  visible.cursor("a", 3);
  assert.deepEqual(told.slice(1), [["shown", "1", 50]]);
});

test("taken whole, it is shown and not dismissed, whether or not something behind it goes away", () => {
  for (const removed of [0, 1]) {
    const { told, clock, visible, offer } = watched();
    offer("1", "width)");
    clock.now = 760;
    visible.changed("a", [{ offset: 100, removed, text: "width)" }]);
    visible.cursor("a", 106);
    visible.accepted(["1", 0]);
    visible.close();
    assert.deepEqual(told, [["shown", "1", 760]]);
  }
});

test("a cursor that goes elsewhere, or to another document, ends it", () => {
  for (const [uri, offset] of [["a", 7], ["b", 100], [undefined, undefined]] as const) {
    const { told, visible, offer } = watched();
    offer("1");
    visible.cursor(uri, offset);
    assert.deepEqual(told, [["shown", "1", 0], ["dismissed", "1", "cursor_moved"]]);
  }
});

test("the same one offered again goes on, another one replaces it", () => {
  const { told, clock, offer, insert } = watched();
  offer("1");
  clock.now = 300;
  insert(100, "w");
  offer("1", "width * height", 101, 1);
  clock.now = 800;
  offer("2", "eight", 101);
  assert.deepEqual(told, [["shown", "1", 800], ["dismissed", "1", "replaced"]]);
});

test("changes elsewhere in other documents do not matter", () => {
  const { told, visible, offer } = watched();
  offer("1");
  visible.changed("b", [{ offset: 0, removed: 4, text: "" }]);
  visible.changed("a", []);
  assert.deepEqual(told, []);
});
