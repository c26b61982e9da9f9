import { isPodUser } from '../../../schemas/index.ts'
import type { Scope } from '../../lifecycle/module.ts'
import type { Logger } from '../../log/logger.ts'
import type { Accounts } from './access/accounts.ts'
import type { Gate } from './access/gate.ts'
import type { SessionBook } from './sessions/session-book.ts'

export interface AccountHolders {
  readonly gate: Gate
  readonly book: SessionBook
  readonly log: Logger
}

/** Who has lost an account loses all that it had by it, also what was taken away while the broker did not run. */
export function followAccounts(accounts: Accounts, { gate, book, log }: AccountHolders, scope: Scope): void {
  book.endOf((owner) => isPodUser(owner) && !accounts.has(owner))
  scope.use(
    accounts.follow((user, change) => {
      gate.expel(user)
      if (change === 'gone') book.endOf((owner) => owner === user)
      log.info('An MQTT account of a pod has changed', { user, change })
    }),
  )
}
