/** Why a text is no JSON, in the words of Go's decoder; undefined where it is. */
export function jsonError(text: string): string | undefined {
  const scan = new Scan(text)
  try {
    scan.value()
    scan.space()
    if (scan.next() !== '') scan.fail('after top-level value')
    return undefined
  } catch (error) {
    if (error instanceof Unreadable) return error.message
    throw error
  }
}

class Unreadable extends Error {}

const LITERALS: Readonly<Record<string, string>> = { t: 'true', f: 'false', n: 'null' }

/** Go reads no deeper than 10,000; what is readable is not to end our stack. */
const DEEPEST = 1_000

class Scan {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Empty at the end. */
  next(): string {
    return this.#text.charAt(this.#at)
  }

  fail(where: string): never {
    if (this.next() === '') throw new Unreadable('unexpected end of JSON input')
    const code = this.#text.codePointAt(this.#at) ?? 0
    throw new Unreadable(`invalid character ${quoted(String.fromCodePoint(code))} ${where}`)
  }

  space(): void {
    while (this.next() !== '' && ' \t\r\n'.includes(this.next())) this.#at++
  }

  value(): void {
    this.space()
    if (++this.#depth > DEEPEST) throw new Unreadable('exceeded max depth')
    const literal = LITERALS[this.next()]
    if (this.next() === '{') this.#object()
    else if (this.next() === '[') this.#list()
    else if (this.next() === '"') this.#string()
    else if (literal !== undefined) this.#literal(literal)
    else if (this.next() === '-' || /\d/.test(this.next())) this.#number()
    else this.fail('looking for beginning of value')
    this.#depth--
  }

  #object(): void {
    this.#at++
    this.space()
    if (this.next() === '}') {
      this.#at++
      return
    }
    for (;;) {
      this.space()
      if (this.next() !== '"') this.fail('looking for beginning of object key string')
      this.#string()
      this.space()
      if (this.next() !== ':') this.fail('after object key')
      this.#at++
      this.value()
      this.space()
      if (this.next() === '}') {
        this.#at++
        return
      }
      if (this.next() !== ',') this.fail('after object key:value pair')
      this.#at++
    }
  }

  #list(): void {
    this.#at++
    this.space()
    if (this.next() === ']') {
      this.#at++
      return
    }
    for (;;) {
      this.value()
      this.space()
      if (this.next() === ']') {
        this.#at++
        return
      }
      if (this.next() !== ',') this.fail('after array element')
      this.#at++
    }
  }

  #string(): void {
    this.#at++
    while (this.next() !== '"') {
      if (this.next() === '' || this.next() < ' ') this.fail('in string literal')
      if (this.next() === '\\') this.#escape()
      else this.#at++
    }
    this.#at++
  }

  #escape(): void {
    this.#at++
    if (this.next() !== 'u') {
      if (!/["\\/bfnrt]/.test(this.next())) this.fail('in string escape code')
      this.#at++
      return
    }
    this.#at++
    for (let digits = 0; digits < 4; digits++) {
      if (!/[\da-fA-F]/.test(this.next())) this.fail('in \\u hexadecimal character escape')
      this.#at++
    }
  }

  #literal(word: string): void {
    for (const letter of word) {
      if (this.next() !== letter) this.fail(`in literal ${word} (expecting ${quoted(letter)})`)
      this.#at++
    }
  }

  #number(): void {
    if (this.next() === '-') this.#at++
    if (this.next() === '0') this.#at++
    else this.#digits('in numeric literal')
    if (this.next() === '.') {
      this.#at++
      this.#digits('after decimal point in numeric literal')
    }
    if (!/[eE]/.test(this.next())) return
    this.#at++
    if (/[+-]/.test(this.next())) this.#at++
    this.#digits('in exponent of numeric literal')
  }

  #digits(where: string): void {
    if (!/\d/.test(this.next())) this.fail(where)
    while (/\d/.test(this.next())) this.#at++
  }
}

function quoted(character: string): string {
  if (character === "'") return `'\\''`
  if (character === '"') return `'"'`
  return `'${JSON.stringify(character).slice(1, -1)}'`
}
