import type { StoreCall, StoreDomain } from '../../../store/index.ts'
import type { Entry, Message } from './outbox.ts'
import type { Session, Subscription } from './session.ts'

const text = { type: 'text' } as const
const integer = { type: 'integer' } as const
const blob = { type: 'blob' } as const
const textKey = { type: 'text', primary: true } as const
const integerKey = { type: 'integer', primary: true } as const

/** Sessions and retained messages of the broker, in a file of their own. */
export const mqttStoreDomain: StoreDomain = {
  name: 'mqtt',
  tables: [
    { name: 'session', columns: { client: textKey, seen: integer, sent: integer, owner: text } },
    { name: 'subscription', columns: { client: textKey, filter: textKey, qos: integer, bridge: integer } },
    { name: 'message', columns: { id: integerKey, topic: text, payload: blob } },
    {
      name: 'queued',
      columns: { client: textKey, seq: integerKey, message: integer, qos: integer, retain: integer, released: integer },
    },
    { name: 'incoming', columns: { client: textKey, packet: integerKey } },
    { name: 'retained', columns: { topic: textKey, payload: blob, qos: integer } },
  ],
  migrations: [
    {
      name: '0400-mqtt-tables',
      up: [
        'CREATE TABLE "session" ("client" text PRIMARY KEY NOT NULL, "seen" integer NOT NULL, "sent" integer NOT NULL)',
        'CREATE TABLE "subscription" ("client" text NOT NULL, "filter" text NOT NULL, "qos" integer NOT NULL, "bridge" integer NOT NULL, PRIMARY KEY ("client", "filter"))',
        'CREATE TABLE "message" ("id" integer PRIMARY KEY NOT NULL, "topic" text NOT NULL, "payload" blob NOT NULL)',
        'CREATE TABLE "queued" ("client" text NOT NULL, "seq" integer NOT NULL, "message" integer NOT NULL, "qos" integer NOT NULL, "retain" integer NOT NULL, "released" integer NOT NULL, PRIMARY KEY ("client", "seq"))',
        'CREATE TABLE "incoming" ("client" text NOT NULL, "packet" integer NOT NULL, PRIMARY KEY ("client", "packet"))',
        'CREATE TABLE "retained" ("topic" text PRIMARY KEY NOT NULL, "payload" blob NOT NULL, "qos" integer NOT NULL)',
      ],
    },
    { name: '0401-mqtt-owner', up: [`ALTER TABLE "session" ADD COLUMN "owner" text NOT NULL DEFAULT ''`] },
  ],
  statements: {
    sessions: 'SELECT client, seen, sent, owner FROM session',
    subscriptions: 'SELECT client, filter, qos, bridge FROM subscription',
    queue:
      'SELECT client, seq, message, queued.qos AS qos, retain, released, topic, payload FROM queued JOIN message ON message.id = queued.message ORDER BY client, seq',
    incoming: 'SELECT client, packet FROM incoming',
    retained: 'SELECT topic, payload, qos FROM retained',
    lastMessage: 'SELECT coalesce(max(id), 0) AS id FROM message',
    putSession:
      'INSERT INTO session (client, seen, sent, owner) VALUES (?, ?, ?, ?) ON CONFLICT (client) DO UPDATE SET seen = excluded.seen, sent = excluded.sent, owner = excluded.owner',
    putSubscription:
      'INSERT INTO subscription (client, filter, qos, bridge) VALUES (?, ?, ?, ?) ON CONFLICT (client, filter) DO UPDATE SET qos = excluded.qos, bridge = excluded.bridge',
    removeSubscription: 'DELETE FROM subscription WHERE client = ? AND filter = ?',
    putMessage: 'INSERT INTO message (id, topic, payload) VALUES (?, ?, ?)',
    removeMessage: 'DELETE FROM message WHERE id = ?',
    enqueue: 'INSERT INTO queued (client, seq, message, qos, retain, released) VALUES (?, ?, ?, ?, ?, 0)',
    release: 'UPDATE queued SET released = 1 WHERE client = ? AND seq = ?',
    dequeue: 'DELETE FROM queued WHERE client = ? AND seq = ?',
    putIncoming: 'INSERT OR IGNORE INTO incoming (client, packet) VALUES (?, ?)',
    removeIncoming: 'DELETE FROM incoming WHERE client = ? AND packet = ?',
    putRetained:
      'INSERT INTO retained (topic, payload, qos) VALUES (?, ?, ?) ON CONFLICT (topic) DO UPDATE SET payload = excluded.payload, qos = excluded.qos',
    removeRetained: 'DELETE FROM retained WHERE topic = ?',
    endSession: 'DELETE FROM session WHERE client = ?',
    endSubscriptions: 'DELETE FROM subscription WHERE client = ?',
    endQueue: 'DELETE FROM queued WHERE client = ?',
    endIncoming: 'DELETE FROM incoming WHERE client = ?',
  },
}

/** `seen` is 0 while the client is connected: after a crash, what stands first in its queue may have been sent. */
export function putSession({ id, owner }: Session, seen: number, sent: number): StoreCall {
  return { statement: 'mqtt.putSession', parameters: [id, seen, sent, owner] }
}

export function endSession(client: string): readonly StoreCall[] {
  return ['endSession', 'endSubscriptions', 'endQueue', 'endIncoming'].map((statement) => ({
    statement: `mqtt.${statement}`,
    parameters: [client],
  }))
}

export function putSubscription({ session, filter, qos, isBridge }: Subscription): StoreCall {
  return { statement: 'mqtt.putSubscription', parameters: [session.id, filter, qos, Number(isBridge)] }
}

export function removeSubscription(client: string, filter: string): StoreCall {
  return { statement: 'mqtt.removeSubscription', parameters: [client, filter] }
}

export function putMessage({ id, topic, payload }: Message): StoreCall {
  return { statement: 'mqtt.putMessage', parameters: [id, topic, payload] }
}

export function removeMessage({ id }: Message): StoreCall {
  return { statement: 'mqtt.removeMessage', parameters: [id] }
}

export function enqueue(client: string, { seq, message, qos, retain }: Entry): StoreCall {
  return { statement: 'mqtt.enqueue', parameters: [client, seq, message.id, qos, Number(retain)] }
}

export function release(client: string, { seq }: Entry): StoreCall {
  return { statement: 'mqtt.release', parameters: [client, seq] }
}

export function dequeue(client: string, { seq }: Entry): StoreCall {
  return { statement: 'mqtt.dequeue', parameters: [client, seq] }
}

export function putIncoming(client: string, packetId: number): StoreCall {
  return { statement: 'mqtt.putIncoming', parameters: [client, packetId] }
}

export function removeIncoming(client: string, packetId: number): StoreCall {
  return { statement: 'mqtt.removeIncoming', parameters: [client, packetId] }
}

export function putRetained(topic: string, payload: Buffer, qos: number): StoreCall {
  return { statement: 'mqtt.putRetained', parameters: [topic, payload, qos] }
}

export function removeRetained(topic: string): StoreCall {
  return { statement: 'mqtt.removeRetained', parameters: [topic] }
}
