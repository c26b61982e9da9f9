export interface OutgoingPublish {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  readonly isRepeated?: boolean
  /** At QoS 1 and 2. */
  readonly packetId?: number
}

/** A PUBLISH packet (MQTT 3.1.1 §3.3). */
export function encodePublish({ topic, payload, qos, retain, isRepeated, packetId = 0 }: OutgoingPublish): Buffer {
  const topicBytes = Buffer.byteLength(topic)
  const length = 2 + topicBytes + (qos > 0 ? 2 : 0) + payload.length
  const head = 1 + sizeOfLength(length)
  const packet = Buffer.allocUnsafe(head + length)
  packet[0] = 0x30 | (isRepeated ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)
  writeLength(packet, length)
  let at = packet.writeUInt16BE(topicBytes, head)
  at += packet.write(topic, at)
  if (qos > 0) at = packet.writeUInt16BE(packetId, at)
  packet.set(payload, at)
  return packet
}

/** A PUBREL packet (§3.6). */
export function encodePubrel(packetId: number): Buffer {
  return Buffer.from([0x62, 2, packetId >> 8, packetId & 255])
}

/** A SUBSCRIBE packet (§3.8). */
export function encodeSubscribe(packetId: number, subscriptions: readonly (readonly [string, number])[]): Buffer {
  const parts = subscriptions.map(([filter, qos]) => {
    const text = Buffer.from(filter)
    return Buffer.concat([Buffer.from([text.length >> 8, text.length & 255]), text, Buffer.from([qos])])
  })
  const body = Buffer.concat([Buffer.from([packetId >> 8, packetId & 255]), ...parts])
  const head = Buffer.alloc(1 + sizeOfLength(body.length), 0x82)
  writeLength(head, body.length)
  return Buffer.concat([head, body])
}

/** A CONNACK packet that refuses (§3.2.2.3). */
export function encodeRefusal(returnCode: number): Buffer {
  return Buffer.from([0x20, 2, 0, returnCode])
}

function sizeOfLength(length: number): number {
  if (length < 128) return 1
  if (length < 16_384) return 2
  return length < 2_097_152 ? 3 : 4
}

function writeLength(packet: Buffer, length: number): void {
  let rest = length
  let at = 1
  do {
    packet[at++] = (rest & 127) | (rest > 127 ? 128 : 0)
    rest >>= 7
  } while (rest > 0)
}
