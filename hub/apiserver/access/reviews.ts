import type { Clock } from '../../../platform/time/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import { arrayAt, objectAt, textAt, timestamp, withContent, withMetadata } from '../../kube/object/index.ts'
import { type Policy, type PolicyRule, ruleJson } from '../../kube/rbac/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { badRequest, unknownPath } from '../../kube/status.ts'
import { API_AUDIENCES, authenticated, type TokenAuthenticator } from '../../serving/access/authentication.ts'
import type { Authorizer } from '../../serving/access/authorization.ts'
import type { User } from '../../serving/user.ts'
import type { Change, Reviewer } from '../rest/context.ts'
import { askedFor, checkReview, subjectIn } from './review-question.ts'
import { audiencesOf } from './token-audiences.ts'
import { userInfo } from './user-info.ts'

export interface ReviewerOptions {
  readonly policy: Policy
  readonly authorize: Authorizer
  readonly tokens: TokenAuthenticator
  readonly clock: Clock
}

/** Answers who somebody is, and what he may do. */
export function createReviewer({ policy, authorize, tokens, clock }: ReviewerOptions): Reviewer {
  const access = (change: Change, question: ApiObject, user: User): ApiObject => {
    checkReview(change, question)
    const { allowed, reason } = authorize(user, askedFor(question))
    return answered(question, { allowed, ...(reason === '' ? {} : { reason }) })
  }
  return async (change, question) => {
    const { definition, user } = change
    switch (definition.kind) {
      case 'SubjectAccessReview':
      case 'LocalSubjectAccessReview':
        return access(change, question, subjectIn(question))
      case 'SelfSubjectAccessReview':
        return access(change, question, user)
      case 'SelfSubjectRulesReview':
        return rulesOf(policy, question, user)
      case 'SelfSubjectReview':
        return answered(withMetadata(question, { creationTimestamp: timestamp(clock.now()) }), {
          userInfo: userInfo(user),
        })
      case 'TokenReview':
        return await ownerOf(tokens, question, change.signal)
      default:
        throw unknownPath()
    }
  }
}

function rulesOf(policy: Policy, question: ApiObject, user: User): ApiObject {
  const namespace = textAt(objectAt(question, 'spec'), 'namespace')
  if (namespace === '') throw badRequest('no namespace on request')
  const { rules, errors } = policy.rulesFor(user, namespace)
  const shown = (isOf: (rule: PolicyRule) => boolean) => rules.filter(isOf).map(ruleJson)
  const status = {
    resourceRules: shown((rule) => rule.resources.length > 0),
    nonResourceRules: shown((rule) => rule.nonResourceURLs.length > 0),
    incomplete: false,
    ...(errors.length === 0 ? {} : { evaluationError: errors.join(', ') }),
  }
  return answered({ ...question, spec: {} }, status)
}

async function ownerOf(tokens: TokenAuthenticator, question: ApiObject, signal: AbortSignal): Promise<ApiObject> {
  const spec = objectAt(question, 'spec')
  const token = textAt(spec, 'token')
  if (token === '') throw badRequest('token is required for TokenReview in authentication')
  const given = arrayAt(spec, 'audiences').filter((each) => typeof each === 'string')
  const wanted = given.length === 0 ? API_AUDIENCES : given
  const owner = await tokens(token, wanted, signal)
  if (!owner) return answered(question, { user: {}, error: await whyNot(tokens, token, wanted, signal) })
  const { audiences, user } = owner
  return answered(question, { authenticated: true, user: userInfo(authenticated(user)), audiences })
}

/** A token that is good elsewhere is told so, with whom it is for. */
async function whyNot(
  tokens: TokenAuthenticator,
  token: string,
  wanted: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const unknown = 'invalid bearer token'
  const own = audiencesOf(token)
  if (own.length === 0 || !(await tokens(token, own, signal))) return unknown
  const shown = (audiences: readonly string[]) => `[${audiences.map((each) => JSON.stringify(each)).join(' ')}]`
  return `[${unknown}, token audiences ${shown(own)} is invalid for the target audiences ${shown(wanted)}]`
}

function answered(question: ApiObject, status: JsonObject): ApiObject {
  return withContent(question, { status })
}
