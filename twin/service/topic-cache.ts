import { type DeviceAction, type DeviceId, type DeviceTopicForm, deviceTopic } from '../../schemas/index.ts'

/** Devices whose topics are remembered. */
const MOST_DEVICES = 4096

/**
 * Topics of devices, each made once: a text that is made anew for each message is also hashed anew in each look-up. Emptied when
 * it is full.
 */
export class TopicCache {
  readonly #topics = new Map<DeviceId, Map<string, string>>()

  of(id: DeviceId, action: DeviceAction, form: DeviceTopicForm): string {
    let own = this.#topics.get(id)
    if (!own) {
      if (this.#topics.size >= MOST_DEVICES) this.#topics.clear()
      own = new Map()
      this.#topics.set(id, own)
    }
    const key = form === 'bare' ? `bare ${action}` : action
    const known = own.get(key)
    if (known !== undefined) return known
    const topic = deviceTopic(id, action, form)
    own.set(key, topic)
    return topic
  }
}
