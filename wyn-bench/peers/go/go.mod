module wynbench

go 1.22
