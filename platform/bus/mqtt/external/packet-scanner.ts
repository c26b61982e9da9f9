/** Follows the packets of a byte stream; false as soon as one is announced with more than `maxBytes`, or malformed. */
export function createPacketScanner(maxBytes: number): (chunk: Uint8Array) => boolean {
  let body = 0
  let length = 0
  let factor = 0
  return (chunk) => {
    let at = 0
    while (at < chunk.length) {
      if (body > 0) {
        const taken = Math.min(body, chunk.length - at)
        body -= taken
        at += taken
      } else if (factor === 0) {
        at++
        factor = 1
        length = 0
      } else {
        const byte = chunk[at++] ?? 0
        length += (byte & 127) * factor
        factor *= 128
        if (length > maxBytes || factor > 2 ** 28) return false
        if (byte < 128) {
          body = length
          factor = 0
        }
      }
    }
    return true
  }
}
