import type { StoreDomain } from '../../../platform/store/index.ts'

/**
 * Messages of MQTT clients that wait for the cloud, in the order of their ids; how many were dropped; and the topics that the
 * cloud or its rules want (KubeEdge's `sub_topics`), each with who wants it.
 */
export const userStoreDomain: StoreDomain = {
  name: 'user',
  tables: [
    {
      name: 'user_message',
      columns: {
        id: { type: 'integer', primary: true },
        frame: { type: 'text' },
        topic: { type: 'text' },
        payload: { type: 'blob' },
        received: { type: 'integer' },
      },
    },
    { name: 'user_dropped', columns: { reason: { type: 'text', primary: true }, count: { type: 'integer' } } },
    {
      name: 'user_topic',
      columns: { key: { type: 'text', primary: true }, topic: { type: 'text' }, origin: { type: 'text' } },
    },
  ],
  migrations: [
    {
      name: '0110-user-messages',
      up: [
        'CREATE TABLE "user_message" ("id" integer PRIMARY KEY NOT NULL, "frame" text NOT NULL, "topic" text NOT NULL, "payload" blob NOT NULL, "received" integer NOT NULL)',
      ],
    },
    {
      name: '0111-user-topics',
      up: [
        'CREATE TABLE "user_dropped" ("reason" text PRIMARY KEY NOT NULL, "count" integer NOT NULL)',
        'CREATE TABLE "user_topic" ("key" text PRIMARY KEY NOT NULL, "topic" text NOT NULL, "origin" text NOT NULL)',
      ],
    },
  ],
  statements: {
    index:
      "SELECT id, frame, '' AS line, length(CAST(topic AS blob)) + length(payload) AS bytes, received FROM user_message ORDER BY id",
    put: 'INSERT INTO user_message (id, frame, topic, payload, received) VALUES (?, ?, ?, ?, ?)',
    read: 'SELECT id, frame, topic, payload FROM user_message WHERE id BETWEEN ? AND ? ORDER BY id',
    dropped: 'SELECT reason, count FROM user_dropped',
    setDropped:
      'INSERT INTO user_dropped (reason, count) VALUES (?, ?) ON CONFLICT (reason) DO UPDATE SET count = excluded.count',
    topics: 'SELECT key, topic, origin FROM user_topic ORDER BY rowid',
    putTopic:
      'INSERT INTO user_topic (key, topic, origin) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET topic = excluded.topic, origin = excluded.origin',
    removeTopic: 'DELETE FROM user_topic WHERE key = ?',
    remove: 'DELETE FROM user_message WHERE id BETWEEN ? AND ?',
  },
}
