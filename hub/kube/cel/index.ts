export { declaredType } from './declared.ts'
export { enforceRules, hasRules, type RuleOutcome } from './enforce.ts'
export { fieldPathOf } from './field-path.ts'
export { type CompiledRule, compileRules, type Rule, rulesOf } from './rules.ts'
