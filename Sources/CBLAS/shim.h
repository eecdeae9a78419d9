#include <cblas.h>

// Debian's OpenBLAS carries LAPACK with Fortran symbols only (no LAPACKE), so the routines that
// DenseMath uses are declared here. The trailing lengths of the character arguments are passed in
// registers that gfortran's callees ignore for one-character strings.
void spotrf_(const char *uplo, const int *n, float *a, const int *lda, int *info);
void dsyevr_(const char *jobz, const char *range, const char *uplo, const int *n, double *a,
             const int *lda, const double *vl, const double *vu, const int *il, const int *iu,
             const double *abstol, int *m, double *w, double *z, const int *ldz, int *isuppz,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info);
