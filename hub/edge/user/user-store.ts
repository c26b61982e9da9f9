import type { StoreDomain } from '../../../platform/store/index.ts'

/** Messages of MQTT clients that wait for the cloud, in the order of their ids. */
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
  ],
  migrations: [
    {
      name: '0110-user-messages',
      up: [
        'CREATE TABLE "user_message" ("id" integer PRIMARY KEY NOT NULL, "frame" text NOT NULL, "topic" text NOT NULL, "payload" blob NOT NULL, "received" integer NOT NULL)',
      ],
    },
  ],
  statements: {
    index: 'SELECT id, length(CAST(topic AS blob)) + length(payload) AS bytes, received FROM user_message ORDER BY id',
    put: 'INSERT INTO user_message (id, frame, topic, payload, received) VALUES (?, ?, ?, ?, ?)',
    read: 'SELECT id, frame, topic, payload FROM user_message WHERE id BETWEEN ? AND ? ORDER BY id',
    removeUpTo: 'DELETE FROM user_message WHERE id <= ?',
  },
}
