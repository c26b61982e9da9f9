/** What keeps this process alive, e.g. two `TCPSocketWrap`; what is there more than `before`. */
export function leftOpen(before: readonly string[] = []): readonly string[] {
  const counted = new Map<string, number>()
  for (const kind of before) counted.set(kind, (counted.get(kind) ?? 0) + 1)
  return process.getActiveResourcesInfo().filter((kind) => {
    // The checks' own waiting, and files that are being read.
    if (kind === 'FSReqPromise' || kind === 'Immediate' || kind === 'TickObject') return false
    const left = counted.get(kind) ?? 0
    counted.set(kind, left - 1)
    return left <= 0
  })
}
