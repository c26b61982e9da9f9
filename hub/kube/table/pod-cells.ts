import { isApiObject } from '../object/access.ts'
import { POD_COLUMNS } from './pod-columns.ts'

/** What `kubectl get pods` prints above its columns, and of one pod; cells are empty of what is no pod. `now` is Unix ms. */
export function podCells(pod: unknown, now: number): readonly [readonly string[], readonly string[]] {
  const columns = POD_COLUMNS.filter(({ priority }) => priority === 0)
  const cells = columns.map(({ cell }) => (isApiObject(pod) ? String(cell(pod, now)) : ''))
  return [columns.map(({ name }) => name.toUpperCase()), cells]
}
