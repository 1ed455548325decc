module wynbench

go 1.21
