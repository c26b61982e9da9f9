import { StatusReport } from '../../runtime/process/status/report.ts'
import { schemaRows } from './schema-rows.ts'

/** The page of `skerry status -o json`. */
export function statusPage(): string {
  return [
    '# Status',
    '',
    'For programs that read `skerry status -o json`. *Generated from `runtime/process/status/report.ts` by `npm run gen`.*',
    '',
    'One JSON object: `ready` (whether all processes and modules are), and the fields below. An edge has a `road`, a cloud half has',
    '`nodes`. Fields may be added; unknown ones are to be ignored. Times are milliseconds since 1970, UTC. The exit code is 0 where all',
    'is ready, also without the cloud: an edge that is offline does its work.',
    '',
    '| field | type | always there | meaning |',
    '|---|---|---|---|',
    ...schemaRows(StatusReport).map((row) =>
      row.replace('| `required` |', '| yes |').replace('| required |', '| yes |'),
    ),
    '',
  ].join('\n')
}
