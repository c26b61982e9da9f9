import { testHistories } from './gate.ts'

testHistories(2)
