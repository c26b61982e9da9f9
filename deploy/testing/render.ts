import { parseAllDocuments } from 'yaml'

type Values = Readonly<Record<string, unknown>>

/**
 * Renders a template of the chart without helm. It knows the few actions that our templates have, and throws at any other, so that
 * the templates stay simple; that helm makes the same of them is tried where there is one.
 */
export function render(template: string, values: Values): string {
  const tokens = tokensOf(template)
  const { text, rest } = block(tokens, values, undefined)
  if (rest.length > 0) throw new Error(`an end without a beginning: ${rest[0]}`)
  return text
}

/** The objects of a text of manifests. */
export function objectsOf(yaml: string): readonly unknown[] {
  return parseAllDocuments(yaml)
    .map((each) => {
      const [error] = each.errors
      if (error) throw error
      return each.toJS()
    })
    .filter((each) => each !== null)
}

/** Texts and actions in turns. A dash takes the white space on its side, as text/template has it. */
function tokensOf(template: string): readonly string[] {
  return template
    .replace(/\s*\{\{- /g, '{{ ')
    .replace(/ -\}\}\s*/g, ' }}')
    .split(/(\{\{.*?\}\})/s)
}

interface Rendered {
  readonly text: string
  /** From the `end` on, which is the reader's. */
  readonly rest: readonly string[]
}

function block(tokens: readonly string[], values: Values, item: unknown): Rendered {
  let text = ''
  let rest = tokens
  for (;;) {
    const [token, ...after] = rest
    if (token === undefined || token === '{{ end }}') return { text, rest }
    const opened = /^\{\{ (if|range) (not )?\.Values\.([\w.]+) \}\}$/.exec(token)
    if (!opened) {
      text += token.startsWith('{{') ? action(token, values, item) : token
      rest = after
      continue
    }
    const [, word, not, path = ''] = opened
    const value = at(values, path)
    const items = word === 'if' ? (Boolean(value) === (not === undefined) ? [item] : []) : listOf(value)
    for (const each of items) text += block(after, values, each).text
    rest = behindEnd(after)
  }
}

/** Behind the end of the block that these are in. */
function behindEnd(tokens: readonly string[]): readonly string[] {
  let depth = 1
  const end = tokens.findIndex((token) => {
    if (/^\{\{ (if|range) /.test(token)) depth++
    if (token === '{{ end }}') depth--
    return depth === 0
  })
  if (end < 0) throw new Error('a block has no end')
  return tokens.slice(end + 1)
}

function action(token: string, values: Values, item: unknown): string {
  if (token === '{{ toJson . }}') return goJson(item)
  if (/^\{\{ \/\*.*\*\/ \}\}$/.test(token)) return ''
  const [, number] = /^\{\{ gt \(int \.Values\.([\w.]+)\) 1 \}\}$/.exec(token) ?? []
  if (number !== undefined) return String(Number(at(values, number)) > 1)
  const [, json, path = ''] = /^\{\{ (toJson )?\.Values\.([\w.]+) \}\}$/.exec(token) ?? []
  if (path === '') throw new Error(`the renderer of the tests knows no ${token}`)
  const value = at(values, path)
  return json === undefined ? String(value) : goJson(value)
}

function at(values: unknown, path: string): unknown {
  let value = values
  for (const name of path.split('.'))
    value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
  if (value === undefined) throw new Error(`no setting ${path}`)
  return value
}

/** As Go's encoding/json writes it: keys in order, and nothing that HTML would take for its own. */
function goJson(value: unknown): string {
  const inOrder = (_key: string, each: unknown): unknown =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each
  return JSON.stringify(value, inOrder).replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`)
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error('range wants a list')
  return value
}
