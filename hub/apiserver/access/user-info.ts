import type { JsonObject } from '../../../schemas/index.ts'
import type { User } from '../../serving/user.ts'

/** authentication.k8s.io/v1 UserInfo. */
export function userInfo({ name, groups, uid, extra }: User): JsonObject {
  return {
    username: name,
    ...(uid ? { uid } : {}),
    groups,
    ...(extra && Object.keys(extra).length > 0 ? { extra } : {}),
  }
}
