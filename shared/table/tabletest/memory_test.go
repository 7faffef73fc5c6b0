package tabletest_test

import (
	"testing"

	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	tabletest.Run(t, func(*testing.T) table.Table { return &tabletest.Memory{} })
}
