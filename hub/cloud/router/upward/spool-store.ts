import type { StoreDomain } from '../../../../platform/store/index.ts'

/** Messages of edges on their way to the targets of rules, in the order of their ids. `call` is the JSON of a call's head. */
export const routerStoreDomain: StoreDomain = {
  name: 'router',
  tables: [
    {
      name: 'router_message',
      columns: {
        id: { type: 'integer', primary: true },
        rule: { type: 'text' },
        node: { type: 'text' },
        topic: { type: 'text' },
        message: { type: 'text' },
        call: { type: 'text' },
        payload: { type: 'blob' },
        received: { type: 'integer' },
      },
    },
  ],
  migrations: [
    {
      name: '0201-router-messages',
      up: [
        'CREATE TABLE "router_message" ("id" integer PRIMARY KEY NOT NULL, "rule" text NOT NULL, "node" text NOT NULL, "topic" text NOT NULL, "message" text NOT NULL, "call" text NOT NULL, "payload" blob NOT NULL, "received" integer NOT NULL)',
      ],
    },
  ],
  statements: {
    index:
      "SELECT id, rule, node, message, call <> '' AS isCall, length(CAST(topic AS blob)) + length(payload) AS bytes, received FROM router_message ORDER BY id",
    put: 'INSERT INTO router_message (id, rule, node, topic, message, call, payload, received) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    read: 'SELECT topic, message, call, payload FROM router_message WHERE id = ?',
    remove: 'DELETE FROM router_message WHERE id = ?',
  },
}
