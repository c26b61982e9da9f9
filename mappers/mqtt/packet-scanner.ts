/** Follows the packets of an MQTT byte stream; false as soon as one is announced with more than `maxBytes`, or malformed. */
export function createPacketScanner(maxBytes: number): (chunk: Uint8Array) => boolean {
  /** Bytes of the body that are still to come. */
  let body = 0
  /** Remaining length as far as it is read, MQTT 3.1.1 §2.2.3; shift -1: at the first byte of a packet. */
  let length = 0
  let shift = -1
  return (chunk) => {
    for (let at = 0; at < chunk.length; ) {
      if (body > 0) {
        const taken = Math.min(body, chunk.length - at)
        body -= taken
        at += taken
        continue
      }
      const byte = chunk[at++] ?? 0
      if (shift < 0) {
        length = 0
        shift = 0
        continue
      }
      length += (byte & 127) * 2 ** shift
      if (length > maxBytes || shift > 21) return false
      shift += 7
      if (byte < 128) {
        body = length
        shift = -1
      }
    }
    return true
  }
}
