/** As many writes as one commit takes well, and few enough to leave room for those of others. */
const AT_ONCE = 64

/** Does the work for each, many at once but not all. Rejects with the first failure, after which nothing more is begun. */
export async function inLanes<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const rest = items[Symbol.iterator]()
  const state = { isOver: false }
  const lane = async () => {
    for (let next = rest.next(); !next.done && !state.isOver; next = rest.next()) {
      try {
        await work(next.value)
      } catch (error) {
        state.isOver = true
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
}
