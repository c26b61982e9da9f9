import { testHistories } from './gate.ts'

testHistories(1)
