import type { LocalServer } from '../index.ts'

/** The same server, whose objects cannot be changed: who changes what the API holds as well fails at once. */
export function frozenServer(server: LocalServer): LocalServer {
  return {
    async call(request, signal) {
      const answer = await server.call(request, signal)
      return { ...answer, body: frozen(answer.body) }
    },
    async events(request, signal) {
      const answer = await server.events(request, signal)
      return 'status' in answer ? { ...answer, body: frozen(answer.body) } : frozenEvents(answer)
    },
  }
}

async function* frozenEvents<T>(events: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const event of events) yield frozen(event)
}

/** With all that is in it; what is frozen already is so as a whole. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const each of Object.values(value)) frozen(each)
  return Object.freeze(value)
}
