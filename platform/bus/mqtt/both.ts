import type { Logger } from '../../log/logger.ts'
import type { EventBus, ViewHandle } from '../event-bus.ts'

/**
 * One EventBus over two brokers: handlers hear both, and everything is said on both. Publishing settles with the embedded
 * broker; the external one counts for itself what it cannot pass on.
 */
export function bothBrokers(embedded: EventBus, external: EventBus, log: Logger): EventBus {
  return {
    isWatched: (topic) => embedded.isWatched(topic) || external.isWatched(topic),
    publish(topic, payload, options) {
      external.publish(topic, payload, options).catch((error: unknown) => {
        log.debug('A message did not reach the external MQTT broker', { topic, error })
      })
      return embedded.publish(topic, payload, options)
    },
    handle: (filter, handler) => pair(embedded.handle(filter, handler), external.handle(filter, handler)),
    view(prefix, view): ViewHandle {
      const handles = [embedded.view(prefix, view), external.view(prefix, view)]
      return {
        get hasWatchers() {
          return handles.some((handle) => handle.hasWatchers)
        },
        isWatched: (topic) => handles.some((handle) => handle.isWatched(topic)),
        show(topic, payload) {
          for (const handle of handles) if (handle.isWatched(topic)) handle.show(topic, payload)
        },
        [Symbol.dispose]() {
          for (const handle of handles) handle[Symbol.dispose]()
        },
      }
    },
  }
}

function pair(first: Disposable, second: Disposable): Disposable {
  return {
    [Symbol.dispose]() {
      first[Symbol.dispose]()
      second[Symbol.dispose]()
    },
  }
}
