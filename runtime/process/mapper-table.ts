import type { MapperEntry, MapperOrigin } from '../../schemas/index.ts'

const HEAD = ['PROTOCOL', 'CONTRACT', 'STATE', 'DEVICES', 'ISOLATION', 'ORIGIN', 'DETAIL']

/** Mappers for people. What others serve, or nobody could ask, is told by the detail. */
export function mapperTable(mappers: readonly MapperEntry[]): string {
  const rows = mappers.map((mapper) => [
    protocolText(mapper),
    String(mapper.contract ?? '-'),
    mapper.state,
    String(mapper.devices),
    mapper.isolation,
    originText(mapper.origin),
    detailText(mapper),
  ])
  const table = [HEAD, ...rows]
  const widths = HEAD.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function protocolText({ protocol = '-', serves }: MapperEntry): string {
  const others = serves.filter((name) => name !== protocol)
  return others.length === 0 ? protocol : `${protocol} (${others.join(', ')})`
}

export function originText(origin: MapperOrigin): string {
  switch (origin.kind) {
    case 'built-in':
      return 'built-in'
    case 'package':
      return `package ${origin.name}${origin.version === undefined ? '' : `@${origin.version}`}`
    case 'path':
      return origin.path
  }
}

function detailText({ detail, crashes }: MapperEntry): string {
  const crashed = crashes === 0 ? '' : `crashed ${crashes} ${crashes === 1 ? 'time' : 'times'}`
  return [detail, crashed].filter((part) => part !== '').join('; ')
}
