import type { WriteStream } from 'node:tty'
import type { TerminalSize } from '../../../hub/streaming/index.ts'

/** The size of a terminal, and each new one, the latest only; disposing it is their end. */
export function terminalSizes(
  terminal: Pick<WriteStream, 'columns' | 'rows' | 'on' | 'off'>,
): Disposable & { readonly sizes: AsyncIterable<TerminalSize> } {
  let news = Promise.withResolvers<void>()
  let isOver = false
  const tell = () => news.resolve()
  terminal.on('resize', tell)
  const sizes = async function* () {
    while (!isOver) {
      const { columns: width, rows: height } = terminal
      yield { width, height }
      await news.promise
      news = Promise.withResolvers()
    }
  }
  return {
    sizes: sizes(),
    [Symbol.dispose]() {
      terminal.off('resize', tell)
      isOver = true
      tell()
    },
  }
}
