/** MQTT ends a topic at 65535 bytes. */
const LONGEST = 65_535

/** A filter as MQTT 3.1.1 §4.7.1 has it: `+` is a whole level, `#` the last one. */
export function isTopicFilter(filter: string): boolean {
  if (!isSpelled(filter)) return false
  const levels = filter.split('/')
  return levels.every((level, at) =>
    level.includes('#') ? level === '#' && at === levels.length - 1 : level === '+' || !level.includes('+'),
  )
}

/** A topic that may be published on. */
export function isTopicName(topic: string): boolean {
  return isSpelled(topic) && !/[+#]/.test(topic)
}

/** MQTT 3.1.1 §4.7: whether a message on the topic belongs to the filter. Wildcards do not begin with `$`. */
export function matchesTopic(filter: string, topic: string): boolean {
  const wanted = filter.split('/')
  const levels = topic.split('/')
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false
  const isOpen = wanted.at(-1) === '#'
  const fixed = isOpen ? wanted.slice(0, -1) : wanted
  if (isOpen ? levels.length < fixed.length : levels.length !== fixed.length) return false
  return fixed.every((level, at) => level === '+' || level === levels[at])
}

function isSpelled(text: string): boolean {
  return text !== '' && !text.includes('\0') && text.isWellFormed() && encoder.encode(text).length <= LONGEST
}

const encoder = new TextEncoder()
